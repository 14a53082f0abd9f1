# random net 357 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1')
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(3, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(5, name='feat4', kind=Dim.Types.Feature)
height5_dim = Dim(4, name='height5', kind=Dim.Types.Spatial)
feat6_dim = Dim(4, name='feat6', kind=Dim.Types.Feature)
behavior_version = 29
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'image': {'dim_tags': [batch_dim, time1_dim, height5_dim, feat6_dim], 'dtype': 'float32'},
}
network = {
    'prefix_in_ti8': {'class': 'prefix_in_time', 'from': 'data:classes', 'prefix': 0, 'repeat': 2},
    'relative_pos9': {'class': 'relative_positional_encoding', 'from': 'data', 'n_out': 6, 'fixed': True, 'key_value_spatial_dim': 'B'},
    'hidden11': {'class': 'hidden', 'from': 'data', 'activation': 'gelu', 'bias_init': 'zeros', 'grad_filter': None, 'n_out': 2, 'with_bias': True},
    'positional_e12': {'class': 'positional_encoding', 'from': 'data', 'add_to_input': False, 'n_out': 4, 'constant': 3},
    'loss_hidden11_square': {'class': 'eval', 'from': 'hidden11', 'eval': 'source(0) ** 2'},
    'loss_hidden11': {'class': 'reduce', 'from': 'loss_hidden11_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [6, 1, 3], 'classes': [6, 1, 3], 'image': [6, 1, 3]}, 'seed': 77}
