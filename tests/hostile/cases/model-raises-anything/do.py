raise ValueError('no such tensor')
