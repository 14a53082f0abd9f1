# random net 47 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
extern_data = {
    'data': {'dim': 4, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 6, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'memory': {'dim': 2},
    'vector': {'dim': 2, 'shape': (2,), 'time_dim_axis': None},
    'speaker': {'dim': 6, 'sparse': True, 'shape': (), 'time_dim_axis': None, 'available_for_inference': True},
}
network = {
    'reduce_out5': {'class': 'reduce_out', 'from': 'data', 'mode': 'max', 'num_pieces': 2},
    'split_concat6': {'class': 'split_concatenated_multichannel', 'from': 'data', 'nr_of_channels': 2, 'n_out': 2},
    'resize8': {'class': 'resize', 'from': 'reduce_out5', 'factor': 2, 'axis': 'T', 'kind': 'fill', 'fill_value': 0.5},
    'softmax9': {'class': 'softmax', 'from': 'data', 'target': 'classes', 'loss': 'ce', 'n_out': 6},
    'framewise_st10': {'class': 'framewise_statistics', 'from': 'softmax9', 'sil_label_idx': 0},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'memory': [2, 3, 1]}, 'search': True, 'seed': 99}
