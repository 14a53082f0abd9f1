# random net 354 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 8
extern_data = {
    'data': {'dim': 6, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 4, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'image': {'dim': 5, 'shape': (None, 4, 5)},
}
network = {
    'linear4': {'class': 'linear', 'from': 'data', 'activation': None, 'n_out': 6},
    'synthetic_gr5': {'class': 'synthetic_gradient', 'from': 'data', 'gradient': 'linear4'},
    'pad7': {'class': 'pad', 'from': 'data:image', 'axes': 'T', 'padding': (2, 2), 'value': -1.0},
    'loss_pad7_square': {'class': 'eval', 'from': 'pad7', 'eval': 'source(0) ** 2'},
    'loss_pad7': {'class': 'reduce', 'from': 'loss_pad7_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'image': [4, 7, 1]}, 'grad': False, 'seed': 15}
