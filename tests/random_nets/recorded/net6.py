# random net 6 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 14
extern_data = {
    'data': {'dim': 6, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 7, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'speaker': {'dim': 7, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'forward3': {'class': 'forward', 'from': 'data', 'activation': 'tanh', 'dropout_noise_shape': {'T': 1}, 'use_transposed_weights': True, 'forward_weights_init': 0.1, 'bias_init': 'zeros', 'n_out': 5},
    'rec5': {'class': 'rec', 'from': 'forward3', 'unit': 'nativelstm2', 'direction': 1, 'n_out': 5},
    'rec6': {'class': 'rec', 'from': 'forward3', 'unit': 'nativelstm2', 'direction': -1, 'n_out': 5},
    'linear8': {'class': 'linear', 'from': ['rec5', 'rec6'], 'activation': 'tanh', 'n_out': 4},
    'elemwise_pro9': {'class': 'elemwise_prod', 'from': 'linear8', 'axes': 'F'},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1]}, 'search': True, 'seed': 75}
