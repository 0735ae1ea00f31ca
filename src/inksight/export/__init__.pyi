from .c_program import CProgram as CProgram, write_c as write_c
from .keras_script import write_keras as write_keras
from .network_import import import_model as import_model
from .onnx_file import write_onnx as write_onnx
from .torch_script import write_torch as write_torch
