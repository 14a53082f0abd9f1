# random net 329 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 1
extern_data = {
    'data': {'dim': 4, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 5, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'speaker': {'dim': 5, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'dropout2': {'class': 'dropout', 'from': 'data'},
    'transposed_c5': {'class': 'transposed_conv', 'from': 'data', 'filter_size': [2], 'strides': [2], 'padding': 'valid', 'activation': None, 'n_out': 5},
    'gather6': {'class': 'gather', 'from': 'transposed_c5', 'position': 'data:speaker', 'axis': 'F'},
    'loss_gather6': {'class': 'eval', 'from': 'gather6', 'eval': 'source(0) ** 2', 'loss': 'as_is', 'loss_scale': 2.0},
}
case = {'batch': 3, 'lens': {'data': [1, 8, 4], 'classes': [1, 8, 4]}, 'seed': 29}
