#include <Python.h>
static PyObject *six(PyObject *self, PyObject *args) { return PyLong_FromLong(6); }
static PyMethodDef methods[] = {{"six", six, METH_NOARGS, ""}, {0}};
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "_fast", 0, -1, methods};
PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&def); }
