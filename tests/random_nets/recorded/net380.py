# random net 380 of seed 1
behavior_version = 14
extern_data = {
    'data': {'dim': 4},
    'classes': {'dim': 7, 'sparse': True, 'available_for_inference': True},
    'labels': {'dim': 6, 'sparse': True, 'available_for_inference': True},
    'image': {'dim': 3, 'shape': (None, 4, 3)},
    'speaker': {'dim': 7, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'edit_distanc4': {'class': 'edit_distance', 'a': 'data:labels', 'a_spatial_dim': 'T', 'b': 'data:labels', 'b_spatial_dim': 'T'},
    'split_dims7': {'class': 'split_dims', 'from': 'data', 'axis': 'F', 'dims': (2, 2)},
    'prefix_in_ti9': {'class': 'prefix_in_time', 'from': 'data', 'prefix': 0.5},
    'scaled_grad10': {'class': 'scaled_grad', 'from': 'split_dims7', 'scale': -1.0, 'shift': 0.1},
    'linear11': {'class': 'linear', 'from': 'data', 'activation': None, 'n_out': 2},
    'softmax_over12': {'class': 'softmax_over_spatial', 'from': 'linear11'},
    'generic_atte13': {'class': 'generic_attention', 'weights': 'softmax_over12', 'base': 'data'},
    'loss_scaled_grad10_square': {'class': 'eval', 'from': 'scaled_grad10', 'eval': 'source(0) ** 2'},
    'loss_scaled_grad10': {'class': 'reduce', 'from': 'loss_scaled_grad10_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'labels': [2, 3, 1, 1], 'image': [5, 5, 2, 1]}, 'seed': 22}
