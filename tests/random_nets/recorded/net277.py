# random net 277 of seed 1
behavior_version = 8
extern_data = {
    'data': {'dim': 5},
    'classes': {'dim': 6, 'sparse': True, 'available_for_inference': True},
    'image': {'dim': 5, 'shape': (None, 4, 5)},
    'vector': {'dim': 5, 'shape': (5,), 'time_dim_axis': None},
}
network = {
    'edit_distanc5': {'class': 'edit_distance', 'a': 'data:classes', 'a_spatial_dim': 'T', 'b': 'data:classes', 'b_spatial_dim': 'T'},
    'activation6': {'class': 'activation', 'from': 'data', 'activation': 'abs'},
    'variable7': {'class': 'variable', 'shape': (5,), 'init': 0.5, 'add_batch_axis': True},
    'combine8': {'class': 'combine', 'from': ['activation6', 'variable7'], 'kind': 'mul'},
    'shift_axis10': {'class': 'shift_axis', 'from': 'data', 'axis': 'T', 'amount': 1},
    'loss_shift_axis10': {'class': 'eval', 'from': 'shift_axis10', 'eval': 'source(0) ** 2', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'image': [4, 7, 1]}, 'seed': 53}
