# istft whose frames do not overlap everywhere: a sample that no window sees is zero
extern_data = {'data': {'dim': 1}}
network = {'s': {'class': 'stft', 'from': 'data', 'frame_size': 4, 'frame_shift': 2, 'fft_size': 4},
 'i3': {'class': 'istft', 'from': 's', 'frame_size': 3, 'frame_shift': 2, 'fft_size': 4},
 'i4': {'class': 'istft', 'from': 's', 'frame_size': 4, 'frame_shift': 2, 'fft_size': 4},
 'i2': {'class': 'istft', 'from': 's', 'frame_size': 2, 'frame_shift': 2, 'fft_size': 4},
 'i1': {'class': 'istft', 'from': 's', 'frame_size': 4, 'frame_shift': 3, 'fft_size': 4}}
case = {'lens': {'data': [12, 15, 9]}}
