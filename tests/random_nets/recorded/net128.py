# random net 128 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 12
extern_data = {
    'data': {'dim': 6, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 7, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'memory': {'dim': 6},
    'speaker': {'dim': 7, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'rec4': {'class': 'rec', 'from': 'data', 'unit': {
        'key': {'class': 'linear', 'from': 'base:data:memory', 'activation': None, 'n_out': 4},
        'query': {'class': 'linear', 'from': ['data:source', 'prev:query'], 'activation': 'tanh', 'n_out': 4},
        'sum': {'class': 'combine', 'kind': 'add', 'from': ['key', 'query']},
        'output': {'class': 'activation', 'activation': 'tanh', 'from': 'sum'},
    }},
    'tikhonov_reg5': {'class': 'tikhonov_regularization', 'from': 'data:memory', 'meta_loss_scale': 0.1},
    'linear6': {'class': 'linear', 'from': 'data:memory', 'activation': 'tanh', 'n_out': 1},
    'pad7': {'class': 'pad', 'from': 'linear6', 'axes': 'T', 'padding': (8, 8)},
    'stft8': {'class': 'stft', 'from': 'pad7', 'frame_size': 4, 'frame_shift': 2, 'fft_size': 4},
    'istft9': {'class': 'istft', 'from': 'stft8', 'frame_size': 4, 'frame_shift': 2, 'fft_size': 4},
    'accumulate_m10': {'class': 'accumulate_mean', 'from': 'data', 'exp_average': 0.5, 'initial_value': 0.5},
    'loss_rec4_square': {'class': 'eval', 'from': 'rec4', 'eval': 'source(0) ** 2'},
    'loss_rec4': {'class': 'reduce', 'from': 'loss_rec4_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is', 'loss_scale': 2.0},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'memory': [2, 3, 1]}, 'grad': False, 'seed': 52}
