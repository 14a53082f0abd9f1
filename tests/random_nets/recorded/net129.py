# random net 129 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1', kind=Dim.Types.Spatial)
short2_dim = Dim(None, name='short2')
feat3_dim = Dim(3, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(5, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(2, name='feat5', kind=Dim.Types.Feature)
feat7_dim = Dim(5, name='feat7', kind=Dim.Types.Feature)
behavior_version = 28
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'vector': {'dim_tags': [batch_dim, feat5_dim], 'dtype': 'float32'},
}
network = {
    'time_chunkin6': {'class': 'time_chunking', 'from': 'data', 'chunk_size': 3, 'chunk_step': 1},
    'rec8': {'class': 'rec', 'from': 'time_chunkin6', 'unit': 'nativelstm2', 'out_dim': feat7_dim},
    'time_unchunk10': {'class': 'time_unchunking', 'from': 'rec8', 'chunking_layer': 'time_chunkin6'},
    'softmax11': {'class': 'softmax', 'from': 'data', 'n_out': 5},
    'loss12': {'class': 'loss', 'from': 'softmax11', 'loss_': 'ce', 'target_': 'classes'},
    'tile14': {'class': 'tile', 'from': 'data', 'multiples': {feat3_dim: 2}},
    'loss_tile14_square': {'class': 'eval', 'from': 'tile14', 'eval': 'source(0) ** 2'},
    'loss_tile14': {'class': 'reduce', 'from': 'loss_tile14_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is', 'loss_scale': 0.5},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1]}, 'seed': 36}
