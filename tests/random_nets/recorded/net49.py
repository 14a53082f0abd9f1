# random net 49 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 18
extern_data = {
    'data': {'dim': 5, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 6, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'image': {'dim': 3, 'shape': (None, 4, 3)},
    'vector': {'dim': 3, 'shape': (3,), 'time_dim_axis': None},
}
network = {
    'rec15': {'class': 'rec', 'from': 'data', 'unit': {
        'window10': {'class': 'window', 'from': 'prev:h', 'window_size': 3, 'window_left': 2, 'window_right': 0},
        'h': {'class': 'linear', 'from': ['data:source', 'prev:h'], 'activation': 'tanh', 'initial_output': 'zeros', 'n_out': 6, 'is_output_layer': True, 'need_last': True},
        'reduce11': {'class': 'reduce', 'from': 'base:data', 'mode': 'mean', 'axis': 'F'},
        'activation12': {'class': 'activation', 'from': 'reduce11', 'activation': 'sigmoid'},
        'cumsum13': {'class': 'cumsum', 'from': 'activation12', 'axis': 'T'},
        'search_sorte14': {'class': 'search_sorted', 'sorted_sequence': 'cumsum13', 'values': 'h', 'axis': 'T', 'side': 'right'},
        'output': {'class': 'copy', 'from': 'h'},
    }},
    'gather17': {'class': 'gather', 'from': 'rec15', 'position': 'data:classes', 'axis': 'F'},
    'reduce7': {'class': 'reduce', 'from': 'conv6', 'mode': 'min', 'axes': 'T', 'use_time_mask': True, 'keep_dims': False},
    'conv6': {'class': 'conv', 'from': 'data:image', 'filter_size': (3, 2), 'padding': 'same', 'in_spatial_dims': ['T', 'dim:4'], 'n_out': 2},
    'rec_last_out16': {'class': 'rec_last_output', 'rec_layer': 'rec15', 'sub_layer_name': 'h'},
    'loss_gather17': {'class': 'eval', 'from': 'gather17', 'eval': 'source(0) ** 2', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [1, 8, 4], 'classes': [1, 8, 4], 'image': [1, 8, 4]}, 'seed': 16}
