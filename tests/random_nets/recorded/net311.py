# random net 311 of seed 1
behavior_version = 4
extern_data = {
    'data': {'dim': 3},
    'classes': {'dim': 4, 'sparse': True, 'available_for_inference': True},
    'labels': {'dim': 3, 'sparse': True, 'available_for_inference': True},
    'image': {'dim': 2, 'shape': (None, 4, 2)},
    'vector': {'dim': 2, 'shape': (2,), 'time_dim_axis': None},
    'speaker': {'dim': 4, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'prefix_in_ti6': {'class': 'prefix_in_time', 'from': 'data', 'prefix': 0.5},
    'time_chunkin7': {'class': 'time_chunking', 'from': 'data', 'chunk_size': 3, 'chunk_step': 1},
    'rec9': {'class': 'rec', 'from': 'time_chunkin7', 'unit': 'nativelstm2', 'n_out': 2},
    'time_unchunk11': {'class': 'time_unchunking', 'from': 'rec9', 'chunking_layer': 'time_chunkin7'},
    'dot12': {'class': 'dot', 'from': ['time_unchunk11', 'data:vector'], 'red1': 'F', 'red2': 'F', 'var1': 'T', 'var2': []},
    'loss_dot12': {'class': 'eval', 'from': 'dot12', 'eval': 'source(0) ** 2', 'loss': 'as_is', 'loss_scale': 2.0},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'labels': [2, 3, 1, 1], 'image': [5, 5, 2, 1]}, 'seed': 77}
