# random net 281 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1')
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(3, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(4, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(4, name='feat5', kind=Dim.Types.Feature)
behavior_version = 25
extern_data = {
    'data': {'dims': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32', 'feature_dim': feat3_dim},
    'classes': {'dims': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'vector': {'dims': [batch_dim, feat5_dim], 'dtype': 'float32', 'feature_dim': feat5_dim},
}
network = {
    'gating7': {'class': 'gating', 'from': 'data:vector', 'activation': 'tanh'},
    'transposed_c10': {'class': 'transposed_conv', 'from': 'data', 'filter_size': [2], 'strides': [1], 'padding': 'same', 'activation': None, 'n_out': 6, 'L2': 0.0},
    'split_concat11': {'class': 'split_concatenated_multichannel', 'from': 'transposed_c10', 'nr_of_channels': 3, 'n_out': 2, 'trainable': True},
    'activation12': {'class': 'activation', 'from': 'transposed_c10', 'activation': 'sin'},
    'compare13': {'class': 'compare', 'from': ['activation12', 'transposed_c10'], 'kind': 'greater'},
    'switch14': {'class': 'switch', 'condition': 'compare13', 'true_from': 'activation12', 'false_from': 0.5, 'batch_norm': {'masked_time': True}},
    'loss_switch14': {'class': 'eval', 'from': 'switch14', 'eval': 'source(0) ** 2', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [6, 1, 3], 'classes': [6, 1, 3]}, 'seed': 81}
