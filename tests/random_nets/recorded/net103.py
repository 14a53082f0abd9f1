# random net 103 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1')
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(3, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(6, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(5, name='feat5', kind=Dim.Types.Feature)
feat6_dim = Dim(6, name='feat6', kind=Dim.Types.Feature)
behavior_version = 30
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'labels': {'dim_tags': [batch_dim, short2_dim], 'sparse_dim': feat5_dim, 'dtype': 'int32', 'available_for_inference': True},
    'vector': {'dim_tags': [batch_dim, feat6_dim], 'dtype': 'float32'},
}
network = {
    'range8': {'class': 'range', 'limit': 5},
    'first_t_fram9': {'class': 'first_t_frames_noise_estimator', 'from': 'data', 'nr_of_frames': 2, 'n_out': 3},
    'self_attenti11': {'class': 'self_attention', 'from': 'data', 'num_heads': 2, 'total_key_dim': 6, 'n_out': 2},
    'length12': {'class': 'length', 'from': 'data', 'axis': 'T'},
    'repeat13': {'class': 'repeat', 'from': 'data', 'repetitions': 2, 'axis': time1_dim},
    'eval14': {'class': 'eval', 'from': 'length12', 'eval': 'source(0) * 0 + 2'},
    'stack15': {'class': 'stack', 'from': ['length12', 'eval14']},
    'unflatten_nd16': {'class': 'unflatten_nd', 'from': 'repeat13', 'sizes': 'stack15', 'num_axes': 2},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'labels': [2, 3, 1]}, 'search': True, 'seed': 68}
