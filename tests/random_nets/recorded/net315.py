# random net 315 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 18
extern_data = {
    'data': {'dim': 3, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 6, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'labels': {'dim': 5, 'sparse': True, 'available_for_inference': True},
    'speaker': {'dim': 6, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'softmax2': {'class': 'softmax', 'from': 'data', 'n_out': 6},
    'fast_bw3': {'class': 'fast_bw', 'from': 'softmax2', 'n_out': 6, 'align_target': 'ctc', 'align_target_key': 'labels', 'input_type': 'prob', 'ctc_opts': {'blank_idx': 5}},
    'copy4': {'class': 'copy', 'from': 'softmax2', 'loss': 'via_layer', 'loss_opts': {'loss_wrt_to_act_in': 'softmax', 'align_layer': 'fast_bw3'}},
    'rec5': {'class': 'rec', 'from': 'data:labels', 'unit': {
        'table': {'class': 'edit_distance_table', 'from': 'data:source', 'target': 'layer:base:data:labels', 'is_output_layer': True},
        'next': {'class': 'optimal_completions', 'from': 'prev:table', 'target': 'layer:base:data:labels', 'is_output_layer': True},
        'output': {'class': 'copy', 'from': 'data:source'},
    }, 'optimize_move_layers_out': False},
    'copy6': {'class': 'copy', 'from': 'rec5/table'},
    'copy7': {'class': 'copy', 'from': 'rec5/next'},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'labels': [2, 3, 1, 1]}, 'seed': 7}
