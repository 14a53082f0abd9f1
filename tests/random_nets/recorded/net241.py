# random net 241 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1')
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(3, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(7, name='feat4', kind=Dim.Types.Feature)
height5_dim = Dim(4, name='height5', kind=Dim.Types.Spatial)
feat6_dim = Dim(5, name='feat6', kind=Dim.Types.Feature)
feat7_dim = Dim(7, name='feat7', kind=Dim.Types.Feature)
behavior_version = 26
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'image': {'dim_tags': [batch_dim, time1_dim, height5_dim, feat6_dim], 'dtype': 'float32'},
    'speaker': {'dim_tags': [batch_dim], 'sparse_dim': feat7_dim, 'dtype': 'int32', 'available_for_inference': True},
}
network = {
    'range_in_axi13': {'class': 'range_in_axis', 'from': 'combine12', 'axis': time1_dim},
    'combine_dims9': {'class': 'combine_dims', 'from': 'data:image', 'axes': [height5_dim, feat6_dim]},
    'eval14': {'class': 'eval', 'from': 'range_in_axi13', 'eval': 'source(0) // 2'},
    'scatter_nd15': {'class': 'scatter_nd', 'from': 'combine12', 'position': 'eval14', 'position_axis': 'T', 'output_dim_via_time_from': 'combine12', 'filter_invalid_indices': True},
    'combine12': {'class': 'combine', 'from': ['data', 'variable11'], 'kind': 'mul'},
    'variable11': {'class': 'variable', 'shape': (feat3_dim,), 'init': 0.5},
    'activation10': {'class': 'activation', 'from': 'combine_dims9', 'activation': 'softmax'},
}
case = {'batch': 3, 'lens': {'data': [6, 1, 3], 'classes': [6, 1, 3], 'image': [6, 1, 3]}, 'seed': 35}
