# random net 131 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 4
extern_data = {
    'data': {'dim': 5, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 7, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'labels': {'dim': 6, 'sparse': True, 'available_for_inference': True},
    'memory': {'dim': 2},
    'speaker': {'dim': 7, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'linear3': {'class': 'linear', 'from': 'data', 'activation': 'log_softmax', 'n_out': 7},
    'forced_align4': {'class': 'forced_align', 'from': 'linear3', 'align_target': 'data:labels', 'input_type': 'log_prob', 'topology': 'rna'},
    'length5': {'class': 'length', 'from': 'data', 'axis': 'T'},
    'eval6': {'class': 'eval', 'from': 'length5', 'eval': 'source(0) - 1'},
    'gather7': {'class': 'gather', 'from': 'data', 'position': 'eval6', 'axis': 'T', 'clip_to_valid': True},
    'range_in_axi8': {'class': 'range_in_axis', 'from': 'data:labels', 'axis': 'T', 'dtype': 'int64'},
    'cast9': {'class': 'cast', 'from': 'range_in_axi8', 'dtype': 'float32'},
    'rec15': {'class': 'rec', 'from': 'data', 'target': 'classes', 'unit': {
        'linear11': {'class': 'linear', 'from': 'prev:output', 'activation': None, 'n_out': 2},
        'concat13': {'class': 'concat', 'from': [('data:source', 'F'), ('linear11', 'F')]},
        'softmax14': {'class': 'softmax', 'from': ['linear11', 'concat13'], 'n_out': 7, 'target': 'classes', 'loss': 'ce'},
        'output': {'class': 'choice', 'beam_size': 3, 'target': 'classes', 'initial_output': 0, 'from': 'softmax14', 'input_type': 'prob', 'length_normalization': False, 'prob_scale': 0.5},
    }},
    'decide_keep16': {'class': 'decide_keep_beam', 'from': 'rec15'},
    'loss_gather7_square': {'class': 'eval', 'from': 'gather7', 'eval': 'source(0) ** 2'},
    'loss_gather7': {'class': 'reduce', 'from': 'loss_gather7_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'labels': [2, 3, 1, 1], 'memory': [2, 3, 1, 1]}, 'param_scale': 1.0, 'train': True, 'seed': 14}
