# random net 99 of seed 1
extern_data = {
    'data': {'dim': 4},
    'classes': {'dim': 6, 'sparse': True, 'available_for_inference': True},
    'labels': {'dim': 5, 'sparse': True, 'available_for_inference': True},
}
network = {
    'combine2': {'class': 'combine', 'from': ['data', 'data'], 'kind': 'add', 'activation': 'relu', 'with_bias': True},
    'rec12': {'class': 'rec', 'from': 'combine2', 'unit': {
        'h': {'class': 'linear', 'from': ['data:source', 'prev:h'], 'activation': 'tanh', 'n_out': 3, 'is_output_layer': True, 'need_last': True},
        'split_dims6': {'class': 'split_dims', 'from': 'data:source', 'axis': 'F', 'dims': (2, -1)},
        'split9': {'class': 'split', 'from': 'split_dims6', 'axis': 'F', 'size_splits': [1, 1], 'batch_norm': True},
        'copy10': {'class': 'copy', 'from': 'split9/0'},
        'copy11': {'class': 'copy', 'from': 'split9/1'},
        'output': {'class': 'copy', 'from': 'h'},
    }},
    'get_rec_accu13': {'class': 'get_rec_accumulated', 'from': 'rec12', 'sub_layer': 'h'},
    'rec_last_out14': {'class': 'rec_last_output', 'rec_layer': 'rec12', 'sub_layer_name': 'h'},
    'linear15': {'class': 'linear', 'from': 'rec12', 'activation': None, 'n_out': 6},
    'ctc_loss16': {'class': 'ctc_loss', 'logits': 'linear15', 'targets': 'data:labels', 'label_loop': False, 'loss': 'as_is'},
    'rec23': {'class': 'rec', 'from': 'rec12', 'unit': {
        'rnn_cell19': {'class': 'rnn_cell', 'from': 'data:source', 'unit': 'BasicRNN', 'initial_state': 'ones', 'n_out': 2},
        'layer_norm20': {'class': 'layer_norm', 'from': 'rnn_cell19'},
        'softmax22': {'class': 'softmax', 'from': 'layer_norm20', 'n_out': 5},
        'h': {'class': 'linear', 'from': ['data:source', 'prev:h'], 'activation': 'sigmoid', 'n_out': 5, 'bias_init': 'ones'},
        'output': {'class': 'copy', 'from': 'layer_norm20'},
    }, 'unroll': False, 'back_prop': False},
    'loss_rec23_square': {'class': 'eval', 'from': 'rec23', 'eval': 'source(0) ** 2'},
    'loss_rec23': {'class': 'reduce', 'from': 'loss_rec23_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'labels': [2, 3, 1]}, 'seed': 61}
