# random net 235 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 15
extern_data = {
    'data': {'dim': 2, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 6, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'labels': {'dim': 5, 'sparse': True, 'available_for_inference': True},
    'memory': {'dim': 2},
    'speaker': {'dim': 6, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'rec10': {'class': 'rec', 'from': [], 'target': 'classes', 'max_seq_len': 4, 'unit': {
        'linear6': {'class': 'linear', 'from': 'prev:output', 'activation': None, 'n_out': 2},
        'gating8': {'class': 'gating', 'from': 'linear6', 'activation': 'tanh', 'gate_activation': 'sigmoid'},
        'softmax9': {'class': 'softmax', 'from': ['linear6', 'gating8'], 'n_out': 6},
        'output': {'class': 'choice', 'beam_size': 3, 'target': 'classes', 'initial_output': 0, 'from': 'softmax9', 'input_type': 'prob', 'length_normalization': False},
        'end': {'class': 'compare', 'from': 'output', 'value': 0},
    }},
    'decide_keep11': {'class': 'decide_keep_beam', 'from': 'rec10'},
    'combine4': {'class': 'combine', 'from': ['data', 'variable3'], 'kind': 'mul'},
    'variable3': {'class': 'variable', 'shape': (2,)},
    'relative_pos12': {'class': 'relative_positional_encoding', 'from': 'data', 'n_out': 4, 'fixed': True},
    'loss_combine4': {'class': 'eval', 'from': 'combine4', 'eval': 'source(0) ** 2', 'loss': 'as_is', 'loss_scale': 0.5},
}
case = {'batch': 3, 'lens': {'data': [6, 1, 3], 'classes': [6, 1, 3], 'labels': [3, 1, 1], 'memory': [3, 1, 1]}, 'param_scale': 1.0, 'seed': 53}
