/** NVIDIA's libraries that the engine uses. */
export const libraryNames = ['driver', 'nvrtc', 'cublasLt', 'cudnn', 'nccl'] as const;

export type LibraryName = (typeof libraryNames)[number];

/** How a library is called where, and what brings it. */
export interface LibraryKind {
  readonly title: string;
  /** What the engine uses it for. */
  readonly purpose: string;
  readonly required: boolean;
  /** How the engine does without it. */
  readonly without?: string;
  /** File names; the first group is the major version, which may be missing. */
  readonly files: { readonly linux: RegExp; readonly win32?: RegExp };
  /** What to install for a driver of a major CUDA version, as commands. */
  install(major: number): string;
}

export const libraryKinds: { readonly [Name in LibraryName]: LibraryKind } = {
  driver: {
    title: 'CUDA driver',
    purpose: 'everything on the card',
    required: true,
    files: { linux: /^libcuda\.so(?:\.(1))?$/, win32: /^nvcuda\.dll$/i },
    install: () =>
      'the NVIDIA driver of the card (on Ubuntu: ubuntu-drivers install; in a container: docker run --gpus all)',
  },
  nvrtc: {
    title: 'NVRTC',
    purpose: 'compiling kernels',
    required: true,
    files: { linux: /^libnvrtc\.so(?:\.(\d+)[\d.]*)?$/, win32: /^nvrtc64_(\d\d)\d_\d+\.dll$/i },
    install: (major) =>
      `pip install ${pip('nvidia-cuda-nvrtc', major)}, or apt-get install cuda-nvrtc-${debian(major)}, or conda install -c conda-forge cuda-nvrtc=${major}`,
  },
  cublasLt: {
    title: 'cuBLASLt',
    purpose: 'matrix products',
    required: true,
    files: { linux: /^libcublasLt\.so(?:\.(\d+)[\d.]*)?$/, win32: /^cublasLt64_(\d+)\.dll$/i },
    install: (major) =>
      `pip install ${pip('nvidia-cublas', major)}, or apt-get install libcublas-${debian(major)}, or conda install -c conda-forge libcublas`,
  },
  cudnn: {
    title: 'cuDNN',
    purpose: 'attention and convolutions',
    required: false,
    without: 'the engine has kernels of its own for attention and convolutions',
    files: { linux: /^libcudnn\.so(?:\.(\d+)[\d.]*)?$/, win32: /^cudnn64_(\d+)\.dll$/i },
    install: (major) =>
      `pip install nvidia-cudnn-cu${major}, or apt-get install libcudnn9-cuda-${major}, or conda install -c conda-forge cudnn`,
  },
  nccl: {
    title: 'NCCL',
    purpose: 'several cards',
    required: false,
    without: 'the engine computes on one card',
    files: { linux: /^libnccl\.so(?:\.(\d+)[\d.]*)?$/ },
    install: (major) =>
      `pip install nvidia-nccl-cu${major}, or apt-get install libnccl2, or conda install -c conda-forge nccl`,
  },
};

/** Until 12 a package's name says for which CUDA it is, from 13 on its version does. */
function pip(name: string, major: number): string {
  return major < 13 ? `${name}-cu${major}` : `'${name}==${major}.*'`;
}

/** NVIDIA's Debian packages are named by a minor version too: a widespread one. */
function debian(major: number): string {
  return major < 13 ? `${major}-8` : `${major}-0`;
}
