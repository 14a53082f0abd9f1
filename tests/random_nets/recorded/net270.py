# random net 270 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1', kind=Dim.Types.Spatial)
short2_dim = Dim(None, name='short2')
feat3_dim = Dim(4, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(5, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(4, name='feat5', kind=Dim.Types.Feature)
feat6_dim = Dim(5, name='feat6', kind=Dim.Types.Feature)
best11_dim = Dim(1, name='best11', kind=Dim.Types.Spatial)
behavior_version = 25
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'labels': {'dim_tags': [batch_dim, short2_dim], 'sparse_dim': feat5_dim, 'dtype': 'int32', 'available_for_inference': True},
    'speaker': {'dim_tags': [batch_dim], 'sparse_dim': feat6_dim, 'dtype': 'int32', 'available_for_inference': True},
}
network = {
    'expand_dims8': {'class': 'expand_dims', 'from': 'data', 'axis': 'spatial'},
    'squeeze9': {'class': 'squeeze', 'from': 'expand_dims8', 'axis': 'auto'},
    'dct10': {'class': 'dct', 'from': 'data', 'type': 2},
    'top_k12': {'class': 'top_k', 'from': 'data', 'axis': 'F', 'k': 1, 'k_dim': best11_dim, 'sorted': True},
    'copy13': {'class': 'copy', 'from': 'top_k12'},
    'copy14': {'class': 'copy', 'from': 'top_k12/indices'},
}
case = {'batch': 4, 'lens': {'data': [5, 5, 2, 1], 'classes': [5, 5, 2, 1], 'labels': [2, 3, 1, 1]}, 'train': True, 'seed': 90}
