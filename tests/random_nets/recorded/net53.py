# random net 53 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1', kind=Dim.Types.Spatial)
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(2, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(6, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(5, name='feat5', kind=Dim.Types.Feature)
feat6_dim = Dim(4, name='feat6', kind=Dim.Types.Feature)
feat7_dim = Dim(4, name='feat7', kind=Dim.Types.Feature)
feat9_dim = Dim(4, name='feat9', kind=Dim.Types.Feature)
outer11_dim = Dim(2, name='outer11')
feat12_dim = Dim(2, name='feat12', kind=Dim.Types.Feature)
behavior_version = 24
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'labels': {'dim_tags': [batch_dim, short2_dim], 'sparse_dim': feat5_dim, 'dtype': 'int32', 'available_for_inference': True},
    'vector': {'dim_tags': [batch_dim, feat6_dim], 'dtype': 'float32'},
}
network = {
    'softmax_over20': {'class': 'softmax_over_spatial', 'from': 'linear19'},
    'linear19': {'class': 'linear', 'from': 'data', 'activation': None, 'n_out': 1},
    'copy17': {'class': 'copy', 'from': 'forced_align16/scores'},
    'linear15': {'class': 'linear', 'from': 'data', 'activation': 'log_softmax', 'n_out': 6},
    'generic_atte21': {'class': 'generic_attention', 'weights': 'softmax_over20', 'base': 'data'},
    'rec14': {'class': 'rec', 'from': 'data', 'unit': {
        'positional_e8': {'class': 'positional_encoding', 'from': 'prev:h', 'add_to_input': True},
        'reinterpret10': {'class': 'reinterpret_data', 'from': 'positional_e8', 'set_dim_tags': {'F': feat9_dim}},
        'h': {'class': 'linear', 'from': ['data:source', 'prev:h'], 'activation': 'tanh', 'initial_output': 'ones', 'out_dim': feat7_dim},
        'reshape13': {'class': 'reshape', 'from': 'h', 'in_dims': [feat7_dim], 'out_dims': [outer11_dim, feat12_dim]},
        'output': {'class': 'copy', 'from': 'h'},
    }, 'unroll': False},
    'forced_align16': {'class': 'forced_align', 'from': 'linear15', 'align_target': 'data:labels', 'input_type': 'log_prob', 'topology': 'ctc'},
    'accumulate_m18': {'class': 'accumulate_mean', 'from': 'rec14', 'exp_average': 0.5},
    'loss_rec14_square': {'class': 'eval', 'from': 'rec14', 'eval': 'source(0) ** 2'},
    'loss_rec14': {'class': 'reduce', 'from': 'loss_rec14_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is', 'loss_scale': 0.5},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'labels': [2, 3, 1]}, 'seed': 87}
