# random net 104 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1', kind=Dim.Types.Spatial)
short2_dim = Dim(None, name='short2')
feat3_dim = Dim(4, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(7, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(2, name='feat5', kind=Dim.Types.Feature)
height6_dim = Dim(4, name='height6', kind=Dim.Types.Spatial)
feat7_dim = Dim(6, name='feat7', kind=Dim.Types.Feature)
behavior_version = 21
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'memory': {'dim_tags': [batch_dim, short2_dim, feat5_dim], 'dtype': 'float32'},
    'image': {'dim_tags': [batch_dim, time1_dim, height6_dim, feat7_dim], 'dtype': 'float32'},
}
network = {
    'flatten_batc8': {'class': 'flatten_batch', 'from': 'data:memory', 'axis': short2_dim},
    'linear10': {'class': 'linear', 'from': 'flatten_batc8', 'activation': 'tanh', 'n_out': 5},
    'unflatten_ba11': {'class': 'unflatten_batch', 'from': 'linear10'},
    'source12': {'class': 'source', 'data_key': 'data', 'from': []},
    'reinterpret13': {'class': 'reinterpret_data', 'from': 'data:classes', 'increase_sparse_dim': 2},
    'seq_len_mask14': {'class': 'seq_len_mask', 'from': 'source12', 'axis': time1_dim, 'mask_value': 0.0},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'memory': [2, 3, 1], 'image': [4, 7, 1]}, 'train': True, 'seed': 22}
