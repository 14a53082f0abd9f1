# random net 32 of seed 1
extern_data = {
    'data': {'dim': 4},
    'classes': {'dim': 5, 'sparse': True, 'available_for_inference': True},
    'labels': {'dim': 4, 'sparse': True, 'available_for_inference': True},
    'vector': {'dim': 5, 'shape': (5,), 'time_dim_axis': None},
}
network = {
    'linear4': {'class': 'linear', 'from': 'data', 'activation': 'sigmoid', 'with_bias': True, 'n_out': 6},
    'dot5': {'class': 'dot', 'from': ['data', 'linear4'], 'red1': 'T', 'red2': 'T', 'var1': 'F', 'var2': 'F'},
    'rec7': {'class': 'rec', 'from': 'linear4', 'unit': 'LSTMBlock', 'n_out': 3},
    'get_last_hid9': {'class': 'get_last_hidden_state', 'from': 'rec7', 'key': '*', 'n_out': 6},
    'loss_get_last_hid9_square': {'class': 'eval', 'from': 'get_last_hid9', 'eval': 'source(0) ** 2'},
    'loss_get_last_hid9': {'class': 'reduce', 'from': 'loss_get_last_hid9_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is', 'loss_scale': 0.5},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'labels': [2, 3, 1, 1]}, 'train': True, 'seed': 93}
