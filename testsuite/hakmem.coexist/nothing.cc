// A program's smallest part: what else is linked with it counts.
#ifdef __cplusplus
extern "C"
#endif
__attribute__ ((weak)) int main ()
{
  return 0;
}
