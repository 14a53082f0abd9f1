# random net 70 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
extern_data = {
    'data': {'dim': 4, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 4, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'labels': {'dim': 3, 'sparse': True, 'available_for_inference': True},
    'vector': {'dim': 2, 'shape': (2,), 'time_dim_axis': None},
    'speaker': {'dim': 4, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'postfix_in_t4': {'class': 'postfix_in_time', 'from': 'data', 'postfix': 0.5},
    'rec12': {'class': 'rec', 'from': 'data', 'target': 'classes', 'unit': {
        'linear6': {'class': 'linear', 'from': 'prev:output', 'activation': None, 'with_bias': False, 'n_out': 2},
        'scaled_grad7': {'class': 'scaled_grad', 'from': 'base:data', 'scale': 0.0, 'shift': 0.1},
        'subnetwork10': {'class': 'subnetwork', 'from': 'scaled_grad7', 'subnetwork': {
            'positional_e8': {'class': 'positional_encoding', 'from': 'data', 'add_to_input': True},
            'elemwise_pro9': {'class': 'elemwise_prod', 'from': 'positional_e8', 'axes': 'F'},
            'output': {'class': 'copy', 'from': 'positional_e8'},
        }},
        'linear11': {'class': 'linear', 'from': ['linear6'], 'activation': 'log_softmax', 'n_out': 4},
        'output': {'class': 'choice', 'beam_size': 4, 'target': 'classes', 'initial_output': 0, 'from': 'linear11', 'input_type': 'log_prob', 'base_beam_score_scale': 0.9},
    }},
    'decide13': {'class': 'decide', 'from': 'rec12'},
    'split_dims17': {'class': 'split_dims', 'from': 'data', 'axis': 'T', 'dims': (-1, 2), 'pad_to_multiples': True},
    'length18': {'class': 'length', 'from': 'postfix_in_t4', 'axis': 'T'},
    'eval19': {'class': 'eval', 'from': 'length18', 'eval': 'source(0) * 0'},
    'gather_nd20': {'class': 'gather_nd', 'from': 'postfix_in_t4', 'position': 'eval19'},
    'first_t_fram21': {'class': 'first_t_frames_noise_estimator', 'from': 'postfix_in_t4', 'nr_of_frames': -1, 'n_out': 4},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'labels': [2, 3, 1]}, 'param_scale': 1.0, 'search': True, 'seed': 53}
