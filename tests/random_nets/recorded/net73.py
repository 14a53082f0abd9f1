# random net 73 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 16
extern_data = {
    'data': {'dim': 3, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 4, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
}
network = {
    'activation2': {'class': 'activation', 'from': 'data', 'activation': 'swish'},
    'rec13': {'class': 'rec', 'from': 'data', 'unit': {
        'stack5': {'class': 'stack', 'from': ['prev:h', 'prev:h']},
        'stack7': {'class': 'stack', 'from': ['base:data', 'base:data']},
        'h': {'class': 'linear', 'from': ['data:source', 'prev:h'], 'activation': 'tanh', 'initial_output': 'zeros', 'n_out': 2},
        'reduce8': {'class': 'reduce', 'from': 'data:source', 'mode': 'sum', 'axis': 'F'},
        'compare9': {'class': 'compare', 'from': 'reduce8', 'kind': 'greater', 'value': 0.0, 'initial_output': True},
        'masked_compu11': {'class': 'masked_computation', 'from': 'data:source', 'mask': 'compare9', 'unit': {'class': 'rnn_cell', 'unit': 'LSTMBlock', 'from': 'data', 'n_out': 2}},
        'unmask12': {'class': 'unmask', 'from': 'masked_compu11', 'mask': 'compare9'},
        'output': {'class': 'copy', 'from': 'unmask12'},
    }, 'optimize_move_layers_out': True},
    'rec22': {'class': 'rec', 'from': 'data', 'unit': {
        'linear15': {'class': 'linear', 'from': 'data:source', 'activation': 'tanh', 'n_out': 2},
        'dot_attentio16': {'class': 'dot_attention', 'from': 'linear15', 'base': 'base:rec13', 'base_ctx': 'base:rec13'},
        'reduce17': {'class': 'reduce', 'from': 'dot_attentio16', 'mode': 'argmin', 'axis': 'F'},
        'compare18': {'class': 'compare', 'from': 'reduce17', 'value': 1, 'kind': 'less'},
        'compare19': {'class': 'compare', 'from': ['compare18', 'compare18'], 'kind': 'logical_and'},
        'h': {'class': 'linear', 'from': ['data:source', 'prev:h'], 'activation': 'sigmoid', 'n_out': 6},
        'window21': {'class': 'window', 'from': 'h', 'window_size': 2, 'window_left': 1, 'window_right': 0},
        'output': {'class': 'copy', 'from': 'h'},
    }},
    'math_norm23': {'class': 'math_norm', 'from': 'data', 'p': 2, 'axes': 'F'},
    'resize25': {'class': 'resize', 'from': 'rec22', 'factor': 2, 'axis': 'T', 'kind': 'fill', 'fill_value': 0.5},
    'loss_resize25_square': {'class': 'eval', 'from': 'resize25', 'eval': 'source(0) ** 2'},
    'loss_resize25': {'class': 'reduce', 'from': 'loss_resize25_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is', 'loss_scale': 2.0},
    'loss_rec13_square': {'class': 'eval', 'from': 'rec13', 'eval': 'source(0) ** 2'},
    'loss_rec13': {'class': 'reduce', 'from': 'loss_rec13_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1]}, 'seed': 95}
