# random net 220 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1', kind=Dim.Types.Spatial)
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(5, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(5, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(4, name='feat5', kind=Dim.Types.Feature)
behavior_version = 28
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'labels': {'dim_tags': [batch_dim, short2_dim], 'sparse_dim': feat5_dim, 'dtype': 'int32', 'available_for_inference': True},
}
network = {
    'length6': {'class': 'length', 'from': 'data', 'axis': 'T'},
    'repeat7': {'class': 'repeat', 'from': 'data', 'repetitions': 2, 'axis': 'T'},
    'eval8': {'class': 'eval', 'from': 'length6', 'eval': 'source(0) * 0 + 2'},
    'stack9': {'class': 'stack', 'from': ['length6', 'eval8']},
    'unflatten_nd10': {'class': 'unflatten_nd', 'from': 'repeat7', 'sizes': 'stack9', 'num_axes': 2},
    'merge_dims11': {'class': 'merge_dims', 'from': 'data', 'axes': ['B', time1_dim]},
    'split_batch12': {'class': 'split_batch_time', 'from': 'merge_dims11', 'base': 'data'},
    'random_state13': {'class': 'random_state_init', 'seed': 3},
    'loss_split_batch12_square': {'class': 'eval', 'from': 'split_batch12', 'eval': 'source(0) ** 2'},
    'loss_split_batch12': {'class': 'reduce', 'from': 'loss_split_batch12_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'labels': [2, 3, 1, 1]}, 'train': True, 'seed': 65}
