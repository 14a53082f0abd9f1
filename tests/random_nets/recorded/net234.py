# random net 234 of seed 1
behavior_version = 16
extern_data = {
    'data': {'dim': 6},
    'classes': {'dim': 5, 'sparse': True, 'available_for_inference': True},
    'memory': {'dim': 3},
}
network = {
    'mel_filterba4': {'class': 'mel_filterbank', 'from': 'data:memory', 'sampling_rate': 16000, 'fft_size': 4, 'nr_of_filters': 3, 'n_out': 3},
    'tile6': {'class': 'tile', 'from': 'mel_filterba4', 'multiples': {'F': 2}},
    'seq_len_mask7': {'class': 'seq_len_mask', 'from': 'tile6', 'axis': 'T', 'mask_value': -1.0},
    'subnetwork10': {'class': 'subnetwork', 'from': 'seq_len_mask7', 'subnetwork': {
        'elemwise_pro8': {'class': 'elemwise_prod', 'from': 'base:mel_filterba4', 'axes': 'F'},
        'layer_norm9': {'class': 'layer_norm', 'from': 'elemwise_pro8'},
        'output': {'class': 'copy', 'from': 'elemwise_pro8'},
    }, 'concat_sources': True},
    'loss_subnetwork10': {'class': 'eval', 'from': 'subnetwork10', 'eval': 'source(0) ** 2', 'loss': 'as_is'},
    'loss_tile6': {'class': 'eval', 'from': 'tile6', 'eval': 'source(0) ** 2', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'memory': [2, 3, 1]}, 'seed': 67}
