# random net 108 of seed 1
behavior_version = 4
extern_data = {
    'data': {'dim': 6},
    'classes': {'dim': 5, 'sparse': True, 'available_for_inference': True},
    'image': {'dim': 5, 'shape': (None, 4, 5)},
}
network = {
    'complex_line5': {'class': 'complex_linear_projection', 'from': 'data', 'nr_of_filters': 4, 'n_out': 4},
    'swap_axes7': {'class': 'swap_axes', 'from': 'complex_line5', 'axis1': 'T', 'axis2': 'F'},
    'print6': {'class': 'print', 'from': 'data:image'},
    'self_attenti9': {'class': 'self_attention', 'from': 'data', 'num_heads': 1, 'total_key_dim': 2, 'n_out': 1, 'attention_left_only': True},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'image': [5, 5, 2, 1]}, 'search': True, 'seed': 35}
