from .c_program import CProgram as CProgram, write_c as write_c
