# random net 215 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 1
extern_data = {
    'data': {'dim': 3, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 7, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'memory': {'dim': 5},
    'speaker': {'dim': 7, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'rec10': {'class': 'rec', 'from': 'pool4', 'unit': {
        'range7': {'class': 'range', 'limit': 3, 'start': 1, 'dtype': 'float32'},
        'expand_dims9': {'class': 'expand_dims', 'from': 'range7', 'axis': 'spatial', 'dim': 2},
        'h': {'class': 'linear', 'from': ['data:source', 'prev:h'], 'activation': 'tanh', 'n_out': 4, 'is_output_layer': True, 'need_last': True},
        'output': {'class': 'copy', 'from': 'h'},
    }},
    'subnetwork15': {'class': 'subnetwork', 'from': 'data', 'subnetwork': {
        'swap_axes12': {'class': 'swap_axes', 'from': 'base:data', 'axis1': 'T', 'axis2': 'F'},
        'length13': {'class': 'length', 'from': 'base:data', 'axis': 'T'},
        'range_from_l14': {'class': 'range_from_length', 'from': 'length13'},
        'output': {'class': 'copy', 'from': 'data'},
    }, 'trainable': False, 'concat_sources': True},
    'pool4': {'class': 'pool', 'from': 'data:memory', 'mode': 'avg', 'pool_size': (2,), 'padding': 'valid', 'dilation_rate': 1, 'strides': 1},
    'get_rec_accu11': {'class': 'get_rec_accumulated', 'from': 'rec10', 'sub_layer': 'h'},
}
case = {'batch': 3, 'lens': {'data': [1, 8, 4], 'classes': [1, 8, 4], 'memory': [1, 4, 2]}, 'seed': 52}
