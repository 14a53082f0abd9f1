# random net 170 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1')
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(2, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(7, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(6, name='feat5', kind=Dim.Types.Feature)
feat6_dim = Dim(4, name='feat6', kind=Dim.Types.Feature)
feat12_dim = Dim(4, name='feat12', kind=Dim.Types.Feature)
behavior_version = 29
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'labels': {'dim_tags': [batch_dim, short2_dim], 'sparse_dim': feat5_dim, 'dtype': 'int32', 'available_for_inference': True},
    'vector': {'dim_tags': [batch_dim, feat6_dim], 'dtype': 'float32'},
}
network = {
    'batch_norm9': {'class': 'batch_norm', 'from': 'data', 'epsilon': 0.01, 'momentum': 0.3, 'delay_sample_update': False, 'masked_time': False},
    'pool11': {'class': 'pool', 'from': 'data', 'mode': 'max', 'pool_size': (3,), 'padding': 'same'},
    'decide22': {'class': 'decide', 'from': 'rec21'},
    'split_batch25': {'class': 'split_batch_beam', 'from': 'reduce24'},
    'rec21': {'class': 'rec', 'from': [], 'target': 'classes', 'max_seq_len': 5, 'unit': {
        'linear13': {'class': 'linear', 'from': 'prev:output', 'activation': None, 'out_dim': feat12_dim},
        'linear14': {'class': 'linear', 'from': 'base:pool11', 'activation': None, 'n_out': 2},
        'softmax_over15': {'class': 'softmax_over_spatial', 'from': 'linear14', 'spatial_smoothing': 1.0, 'energy_factor': -1.0},
        'generic_atte16': {'class': 'generic_attention', 'weights': 'softmax_over15', 'base': 'base:pool11'},
        'linear17': {'class': 'linear', 'from': 'base:batch_norm9', 'activation': None, 'n_out': 2},
        'softmax_over18': {'class': 'softmax_over_spatial', 'from': 'linear17'},
        'generic_atte19': {'class': 'generic_attention', 'weights': 'softmax_over18', 'base': 'base:batch_norm9'},
        'softmax20': {'class': 'softmax', 'from': ['linear13'], 'n_out': 7},
        'output': {'class': 'choice', 'beam_size': 4, 'target': 'classes', 'initial_output': 0, 'from': 'softmax20', 'input_type': 'prob', 'length_normalization': False, 'prob_scale': 0.5},
        'end': {'class': 'compare', 'from': 'output', 'value': 0},
    }},
    'postfix_in_t8': {'class': 'postfix_in_time', 'from': 'data:classes', 'postfix': 0},
    'reduce24': {'class': 'reduce', 'from': 'linear23', 'mode': 'mean', 'axis': 'T'},
    'linear23': {'class': 'linear', 'from': 'rec21', 'activation': 'tanh', 'n_out': 2},
}
case = {'batch': 3, 'lens': {'data': [1, 8, 4], 'classes': [1, 8, 4], 'labels': [1, 4, 2]}, 'param_scale': 1.0, 'search': True, 'seed': 88}
