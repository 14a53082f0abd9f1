# random net 389 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 11
extern_data = {
    'data': {'dim': 6, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 5, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'labels': {'dim': 4, 'sparse': True, 'available_for_inference': True},
    'image': {'dim': 2, 'shape': (None, 4, 2)},
    'vector': {'dim': 5, 'shape': (5,), 'time_dim_axis': None},
    'speaker': {'dim': 5, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'rec5': {'class': 'rec', 'from': 'data:labels', 'unit': {
        'table': {'class': 'edit_distance_table', 'from': 'data:source', 'target': 'layer:base:data:labels', 'is_output_layer': True},
        'next': {'class': 'optimal_completions', 'from': 'prev:table', 'target': 'layer:base:data:labels', 'is_output_layer': True},
        'output': {'class': 'copy', 'from': 'data:source'},
    }, 'optimize_move_layers_out': False},
    'split_dims10': {'class': 'split_dims', 'from': 'data', 'axis': 'T', 'dims': (-1, 3), 'pad_to_multiples': True},
    'slice12': {'class': 'slice', 'from': 'data', 'axis': 'F', 'slice_start': 1, 'slice_end': None, 'slice_step': 2},
    'copy7': {'class': 'copy', 'from': 'rec5/next'},
    'copy6': {'class': 'copy', 'from': 'rec5/table'},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'labels': [2, 3, 1, 1], 'image': [5, 5, 2, 1]}, 'seed': 2}
