# random net 349 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
extern_data = {
    'data': {'dim': 3, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 7, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'memory': {'dim': 2},
    'vector': {'dim': 4, 'shape': (4,), 'time_dim_axis': None},
}
network = {
    'linear4': {'class': 'linear', 'from': 'data:memory', 'activation': 'tanh', 'n_out': 2},
    'pad5': {'class': 'pad', 'from': 'linear4', 'axes': 'T', 'padding': (8, 8)},
    'multichannel6': {'class': 'multichannel_multiresolution_stft_layer', 'from': 'pad5', 'frame_shift': 2, 'nr_of_channels': 2, 'pad_last_frame': True, 'window': 'ones', 'frame_sizes': [4, 6], 'fft_sizes': [4, 8]},
    'math_norm7': {'class': 'math_norm', 'from': 'data:memory', 'p': 2, 'axis': 'F'},
    'layer_norm8': {'class': 'layer_norm', 'from': 'data:vector'},
    'loss_layer_norm8_square': {'class': 'eval', 'from': 'layer_norm8', 'eval': 'source(0) ** 2'},
    'loss_layer_norm8': {'class': 'reduce', 'from': 'loss_layer_norm8_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'memory': [2, 3, 1]}, 'seed': 42}
