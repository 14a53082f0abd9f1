# random net 337 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1')
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(6, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(5, name='feat4', kind=Dim.Types.Feature)
window5_dim = Dim(3, name='window5', kind=Dim.Types.Spatial)
behavior_version = 27
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
}
network = {
    'window6': {'class': 'window', 'from': 'data', 'window_dim': window5_dim},
    'fold7': {'class': 'fold', 'from': 'window6', 'mode': 'mean', 'in_spatial_dim': time1_dim, 'window_dim': window5_dim},
    'repeat9': {'class': 'repeat', 'from': 'data', 'repetitions': 'data:classes', 'axis': time1_dim},
    'length10': {'class': 'length', 'from': 'data:classes', 'axis': 'T', 'add_time_axis': False},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1]}, 'search': True, 'seed': 77}
