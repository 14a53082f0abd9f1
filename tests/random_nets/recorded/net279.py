# random net 279 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 14
extern_data = {
    'data': {'dim': 5, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 5, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'memory': {'dim': 3},
    'image': {'dim': 5, 'shape': (None, 4, 5)},
}
network = {
    'flatten_batc5': {'class': 'flatten_batch', 'from': 'data:memory'},
    'linear7': {'class': 'linear', 'from': 'flatten_batc5', 'activation': 'tanh', 'n_out': 3},
    'unflatten_ba8': {'class': 'unflatten_batch', 'from': 'linear7'},
    'concat13': {'class': 'concat', 'from': [('unflatten_ba8', 'F'), ('unflatten_ba8', 'F')], 'allow_broadcast': False},
    'transposed_c16': {'class': 'transposed_conv', 'from': 'concat13', 'filter_size': [2], 'strides': [2], 'padding': 'same', 'activation': None, 'n_out': 6},
    'window18': {'class': 'window', 'from': 'concat13', 'window_size': 2, 'window_left': 0, 'window_right': 1},
}
case = {'batch': 3, 'lens': {'data': [6, 1, 3], 'classes': [6, 1, 3], 'memory': [3, 1, 1], 'image': [6, 1, 3]}, 'seed': 64}
