# random net 209 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 12
extern_data = {
    'data': {'dim': 6, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 7, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
}
network = {
    'expand_dims3': {'class': 'expand_dims', 'from': 'data', 'axis': 'spatial', 'trainable': True},
    'multichannel15': {'class': 'multichannel_multiresolution_stft_layer', 'from': 'pad14', 'frame_shift': 3, 'nr_of_channels': 1, 'pad_last_frame': True, 'window': 'hanning', 'frame_sizes': [4, 6], 'fft_sizes': [4, 8]},
    'rec10': {'class': 'rec', 'from': [], 'target': 'classes', 'max_seq_len': 5, 'unit': {
        'linear6': {'class': 'linear', 'from': 'prev:output', 'activation': None, 'n_out': 6},
        'cumsum7': {'class': 'cumsum', 'from': 'base:data', 'axis': 'T', 'spatial_smoothing': -1.0},
        'transpose8': {'class': 'transpose', 'from': 'base:data', 'perm': ['F', 'B', 'T']},
        'softmax9': {'class': 'softmax', 'from': ['linear6'], 'target': 'classes', 'loss': 'ce'},
        'output': {'class': 'choice', 'beam_size': 4, 'target': 'classes', 'initial_output': 0, 'from': 'softmax9', 'input_type': 'prob'},
        'end': {'class': 'compare', 'from': 'output', 'value': 0},
    }},
    'squeeze4': {'class': 'squeeze', 'from': 'expand_dims3', 'axis': 'dim:1'},
    'print12': {'class': 'print', 'from': 'data'},
    'linear13': {'class': 'linear', 'from': 'squeeze4', 'activation': 'tanh', 'n_out': 1},
    'pad14': {'class': 'pad', 'from': 'linear13', 'axes': 'T', 'padding': (8, 8)},
    'decide11': {'class': 'decide', 'from': 'rec10'},
    'loss_print12_square': {'class': 'eval', 'from': 'print12', 'eval': 'source(0) ** 2'},
    'loss_print12': {'class': 'reduce', 'from': 'loss_print12_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1]}, 'param_scale': 1.0, 'train': True, 'seed': 35}
