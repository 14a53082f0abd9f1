# random net 148 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1', kind=Dim.Types.Spatial)
short2_dim = Dim(None, name='short2')
feat3_dim = Dim(4, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(6, name='feat4', kind=Dim.Types.Feature)
height5_dim = Dim(4, name='height5')
feat6_dim = Dim(5, name='feat6', kind=Dim.Types.Feature)
feat7_dim = Dim(3, name='feat7', kind=Dim.Types.Feature)
feat8_dim = Dim(6, name='feat8', kind=Dim.Types.Feature)
behavior_version = 29
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'image': {'dim_tags': [batch_dim, time1_dim, height5_dim, feat6_dim], 'dtype': 'float32'},
    'vector': {'dim_tags': [batch_dim, feat7_dim], 'dtype': 'float32'},
    'speaker': {'dim_tags': [batch_dim], 'sparse_dim': feat8_dim, 'dtype': 'int32', 'available_for_inference': True},
}
network = {
    'softmax9': {'class': 'softmax', 'from': 'data', 'n_out': 6},
    'loss10': {'class': 'loss', 'from': 'softmax9', 'loss_': 'ce', 'target_': 'classes'},
    'compare11': {'class': 'compare', 'from': 'data:classes', 'value': 1, 'kind': 'equal'},
    'boolean_mask12': {'class': 'boolean_mask', 'from': 'data', 'mask': 'compare11', 'dims': [batch_dim, time1_dim]},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'image': [5, 5, 2, 1]}, 'seed': 59}
