# random net 256 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
extern_data = {
    'data': {'dim': 3, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 6, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'labels': {'dim': 5, 'sparse': True, 'available_for_inference': True},
    'vector': {'dim': 6, 'shape': (6,), 'time_dim_axis': None},
    'speaker': {'dim': 6, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'norm3': {'class': 'norm', 'from': 'data:vector', 'axes': 'F', 'scale': False, 'bias': False, 'epsilon': 0.001},
    'softmax4': {'class': 'softmax', 'from': 'data', 'target': 'classes', 'loss': 'ce', 'n_out': 6},
    'framewise_st5': {'class': 'framewise_statistics', 'from': 'softmax4', 'sil_label_idx': 0},
    'rec13': {'class': 'rec', 'from': 'data', 'target': 'classes', 'unit': {
        'linear7': {'class': 'linear', 'from': 'prev:output', 'activation': None, 'n_out': 3},
        'swap_axes8': {'class': 'swap_axes', 'from': 'base:data', 'axis1': 'T', 'axis2': 'B'},
        'window11': {'class': 'window', 'from': 'swap_axes8', 'window_size': 3, 'window_left': 2, 'window_right': 0, 'stride': 2},
        'linear12': {'class': 'linear', 'from': ['linear7'], 'activation': 'log_softmax', 'n_out': 6},
        'output': {'class': 'choice', 'beam_size': 4, 'target': 'classes', 'initial_output': 0, 'from': 'linear12', 'input_type': 'log_prob', 'base_beam_score_scale': 0.9},
        'beams': {'class': 'choice_get_src_beams', 'from': 'output', 'is_output_layer': True},
    }},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'labels': [2, 3, 1, 1]}, 'search': True, 'seed': 87}
