# random net 221 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 14
extern_data = {
    'data': {'dim': 4, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 5, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'vector': {'dim': 4, 'shape': (4,), 'time_dim_axis': None},
}
network = {
    'range4': {'class': 'range', 'limit': 3, 'start': 1, 'dtype': 'float32'},
    'reduce6': {'class': 'reduce', 'from': 'data', 'mode': 'min', 'axis': 'F', 'keep_dims': True},
    'variable7': {'class': 'variable', 'shape': (), 'init': 1.0, 'trainable': False},
    'constant8': {'class': 'constant', 'value': 2.5},
    'variable_ass9': {'class': 'variable_assign', 'var': 'variable7', 'value': 'constant8'},
    'variable_rea10': {'class': 'variable_read', 'var': 'variable7', 'control_dependencies': ['variable_ass9']},
    'length11': {'class': 'length', 'from': 'data', 'axis': 'T'},
    'range_from_l12': {'class': 'range_from_length', 'from': 'length11'},
    'loss_reduce6_square': {'class': 'eval', 'from': 'reduce6', 'eval': 'source(0) ** 2'},
    'loss_reduce6': {'class': 'reduce', 'from': 'loss_reduce6_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is', 'loss_scale': 0.5},
}
case = {'batch': 3, 'lens': {'data': [1, 8, 4], 'classes': [1, 8, 4]}, 'seed': 10}
