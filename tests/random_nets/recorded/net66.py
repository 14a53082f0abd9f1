# random net 66 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1')
short2_dim = Dim(None, name='short2')
feat3_dim = Dim(3, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(6, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(5, name='feat5', kind=Dim.Types.Feature)
feat8_dim = Dim(2, name='feat8', kind=Dim.Types.Feature)
behavior_version = 30
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'memory': {'dim_tags': [batch_dim, short2_dim, feat5_dim], 'dtype': 'float32'},
}
network = {
    'softmax7': {'class': 'softmax', 'from': 'data', 'target': 'classes', 'n_out': 6, 'loss': 'ce', 'loss_opts': {'label_smoothing': 0.1}},
    'rec9': {'class': 'rec', 'from': [], 'axis': short2_dim, 'unit': {
        'step': {'class': 'rec_unstack', 'from': 'base:data:memory', 'axis': short2_dim},
        'output': {'class': 'linear', 'from': ['step', 'prev:output'], 'activation': 'tanh', 'out_dim': feat8_dim},
    }},
    'mel_filterba11': {'class': 'mel_filterbank', 'from': 'softmax7', 'sampling_rate': 16000, 'fft_size': 10, 'nr_of_filters': 3, 'n_out': 3},
    'linear12': {'class': 'linear', 'from': 'mel_filterba11', 'activation': 'tanh', 'n_out': 2},
    'pad13': {'class': 'pad', 'from': 'linear12', 'axes': 'T', 'padding': (8, 8)},
    'multichannel14': {'class': 'multichannel_stft_layer', 'from': 'pad13', 'frame_shift': 3, 'nr_of_channels': 2, 'pad_last_frame': True, 'window': 'hanning', 'frame_size': 4, 'fft_size': 4},
    'loss_mel_filterba11_square': {'class': 'eval', 'from': 'mel_filterba11', 'eval': 'source(0) ** 2'},
    'loss_mel_filterba11': {'class': 'reduce', 'from': 'loss_mel_filterba11_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'memory': [2, 3, 1]}, 'seed': 73}
