# random net 161 of seed 1
behavior_version = 15
extern_data = {
    'data': {'dim': 5},
    'classes': {'dim': 6, 'sparse': True, 'available_for_inference': True},
    'labels': {'dim': 5, 'sparse': True, 'available_for_inference': True},
}
network = {
    'range3': {'class': 'range', 'limit': 5},
    'norm4': {'class': 'norm', 'from': 'data', 'axes': 'F', 'epsilon': 0.001},
    'linear5': {'class': 'linear', 'from': 'norm4', 'activation': 'tanh', 'n_out': 1},
    'pad6': {'class': 'pad', 'from': 'linear5', 'axes': 'T', 'padding': (8, 8)},
    'stft7': {'class': 'stft', 'from': 'pad6', 'frame_size': 4, 'frame_shift': 2, 'fft_size': 4},
    'istft8': {'class': 'istft', 'from': 'stft7', 'frame_size': 4, 'frame_shift': 2, 'fft_size': 4},
    'conv11': {'class': 'conv', 'from': 'norm4', 'filter_size': (1,), 'padding': 'valid', 'with_bias': False, 'n_out': 3},
    'loss_conv11': {'class': 'eval', 'from': 'conv11', 'eval': 'source(0) ** 2', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [1, 8, 4], 'classes': [1, 8, 4], 'labels': [1, 4, 2]}, 'seed': 60}
