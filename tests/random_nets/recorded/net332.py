# random net 332 of seed 1
behavior_version = 16
extern_data = {
    'data': {'dim': 6},
    'classes': {'dim': 7, 'sparse': True, 'available_for_inference': True},
    'speaker': {'dim': 7, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'merge_dims2': {'class': 'merge_dims', 'from': 'data', 'axes': ['B', 'T']},
    'split_batch3': {'class': 'split_batch_time', 'from': 'merge_dims2', 'base': 'data'},
    'rec14': {'class': 'rec', 'from': 'data', 'unit': {
        'linear5': {'class': 'linear', 'from': 'prev:h', 'activation': 'sigmoid', 'n_out': 1},
        'squeeze6': {'class': 'squeeze', 'from': 'linear5', 'axis': 'F'},
        'eval7': {'class': 'eval', 'from': 'squeeze6', 'eval': 'source(0) * 3.'},
        'gauss_window8': {'class': 'gauss_window_attention', 'from': 'eval7', 'base': 'base:split_batch3', 'window_size': 3},
        'tile10': {'class': 'tile', 'from': 'gauss_window8', 'multiples': {'F': 3}},
        'h': {'class': 'linear', 'from': ['gauss_window8', 'prev:h'], 'activation': 'tanh', 'n_out': 2},
        'expand_dims12': {'class': 'expand_dims', 'from': 'h', 'axis': 'spatial'},
        'squeeze13': {'class': 'squeeze', 'from': 'expand_dims12', 'axis': 'dim:1'},
        'output': {'class': 'copy', 'from': 'h'},
    }},
    'seq_len_mask15': {'class': 'seq_len_mask', 'from': 'rec14', 'axis': 'T', 'mask_value': 0.0},
    'elemwise_pro16': {'class': 'elemwise_prod', 'from': 'split_batch3', 'axes': 'F'},
    'loss_elemwise_pro16_square': {'class': 'eval', 'from': 'elemwise_pro16', 'eval': 'source(0) ** 2'},
    'loss_elemwise_pro16': {'class': 'reduce', 'from': 'loss_elemwise_pro16_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is', 'loss_scale': 0.5},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1]}, 'seed': 16}
