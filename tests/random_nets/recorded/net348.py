# random net 348 of seed 1
extern_data = {
    'data': {'dim': 4},
    'classes': {'dim': 7, 'sparse': True, 'available_for_inference': True},
    'memory': {'dim': 4},
    'image': {'dim': 5, 'shape': (None, 4, 5)},
    'vector': {'dim': 5, 'shape': (5,), 'time_dim_axis': None},
}
network = {
    'complex_line7': {'class': 'complex_linear_projection', 'from': 'data', 'nr_of_filters': 3, 'n_out': 3},
    'source8': {'class': 'source', 'data_key': 'data', 'from': []},
    'merge_dims10': {'class': 'merge_dims', 'from': 'data:image', 'axes': ['dim:4', 'F']},
    'reduce11': {'class': 'reduce', 'from': 'data:image', 'mode': 'sum', 'axis': 'dim:4'},
    'loss_reduce11': {'class': 'eval', 'from': 'reduce11', 'eval': 'source(0) ** 2', 'loss': 'as_is'},
    'loss_source8': {'class': 'eval', 'from': 'source8', 'eval': 'source(0) ** 2', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [6, 1, 3], 'classes': [6, 1, 3], 'memory': [3, 1, 1], 'image': [6, 1, 3]}, 'seed': 85}
