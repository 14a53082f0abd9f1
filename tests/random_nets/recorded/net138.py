# random net 138 of seed 1
extern_data = {
    'data': {'dim': 3},
    'classes': {'dim': 5, 'sparse': True, 'available_for_inference': True},
    'image': {'dim': 6, 'shape': (None, 4, 6)},
    'speaker': {'dim': 5, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'variable4': {'class': 'variable', 'shape': (), 'init': 1.0, 'trainable': False},
    'constant5': {'class': 'constant', 'value': 2.5},
    'variable_ass6': {'class': 'variable_assign', 'var': 'variable4', 'value': 'constant5', 'trainable': False},
    'variable_rea7': {'class': 'variable_read', 'var': 'variable4', 'control_dependencies': ['variable_ass6'], 'initial_output': 'var', 'trainable': False},
    'elemwise_pro8': {'class': 'elemwise_prod', 'from': 'data', 'axes': 'F'},
    'weighted_sum9': {'class': 'weighted_sum', 'from': 'data:image', 'axes': 'dim:4'},
    'loss_weighted_sum9': {'class': 'eval', 'from': 'weighted_sum9', 'eval': 'source(0) ** 2', 'loss': 'as_is'},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'image': [5, 5, 2, 1]}, 'seed': 2}
