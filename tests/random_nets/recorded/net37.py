# random net 37 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 18
extern_data = {
    'data': {'dim': 3, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 7, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'labels': {'dim': 6, 'sparse': True, 'available_for_inference': True},
}
network = {
    'rnn_cell3': {'class': 'rnn_cell', 'from': 'data', 'unit': 'BasicLSTM', 'n_out': 4},
    'norm4': {'class': 'norm', 'from': 'data', 'axis': 'F', 'scale': False, 'bias': False},
    'eval5': {'class': 'eval', 'from': 'rnn_cell3', 'eval': 'tf.cast(source(0) > 0.1, tf.float32) * source(0)'},
    'length6': {'class': 'length', 'from': 'eval5', 'axis': 'T'},
    'eval7': {'class': 'eval', 'from': 'length6', 'eval': 'source(0) - 1'},
    'slice_nd8': {'class': 'slice_nd', 'from': 'eval5', 'start': 'eval7', 'size': 1},
    'reinterpret9': {'class': 'reinterpret_data', 'from': 'data:classes', 'set_sparse_dim': 8},
}
case = {'batch': 3, 'lens': {'data': [1, 8, 4], 'classes': [1, 8, 4], 'labels': [1, 4, 2]}, 'search': True, 'seed': 12}
