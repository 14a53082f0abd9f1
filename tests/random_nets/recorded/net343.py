# random net 343 of seed 1
extern_data = {
    'data': {'dim': 3},
    'classes': {'dim': 6, 'sparse': True, 'available_for_inference': True},
    'labels': {'dim': 5, 'sparse': True, 'available_for_inference': True},
    'memory': {'dim': 6},
    'image': {'dim': 2, 'shape': (None, 4, 2)},
}
network = {
    'multichannel9': {'class': 'multichannel_multiresolution_stft_layer', 'from': 'pad8', 'frame_shift': 3, 'nr_of_channels': 1, 'frame_sizes': [4, 6], 'fft_sizes': [4, 8]},
    'pad8': {'class': 'pad', 'from': 'linear7', 'axes': 'T', 'padding': (8, 8)},
    'rec17': {'class': 'rec', 'from': 'data', 'unit': {
        'reduce11': {'class': 'reduce', 'from': 'data:source', 'mode': 'sum', 'axis': 'F'},
        'compare12': {'class': 'compare', 'from': 'reduce11', 'kind': 'greater', 'value': 0.0, 'initial_output': True},
        'masked_compu14': {'class': 'masked_computation', 'from': 'data:source', 'mask': 'prev:compare12', 'unit': {'class': 'rnn_cell', 'unit': 'LSTMBlock', 'from': 'data', 'n_out': 3}},
        'unmask15': {'class': 'unmask', 'from': 'masked_compu14', 'mask': 'prev:compare12'},
        'h': {'class': 'linear', 'from': ['unmask15', 'prev:h'], 'activation': 'sigmoid', 'n_out': 4},
        'reinterpret16': {'class': 'reinterpret_data', 'from': 'base:data', 'enforce_batch_major': True},
        'output': {'class': 'copy', 'from': 'h'},
    }, 'unroll': False},
    'global_train5': {'class': 'global_train_step'},
    'train_flag6': {'class': 'train_flag'},
    'linear7': {'class': 'linear', 'from': 'data', 'activation': 'tanh', 'n_out': 1},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'labels': [2, 3, 1, 1], 'memory': [2, 3, 1, 1], 'image': [5, 5, 2, 1]}, 'search': True, 'seed': 50}
