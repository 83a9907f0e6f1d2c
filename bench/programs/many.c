/* Work for a compiler: a hundred and fifty functions, made by the preprocessor.  */
struct node
{
  struct node *left, *right;
  int key, count;
  char text[24];
};

int use (struct node *, int);

#define ONE(n)                                                                \
  int walk_##n (struct node *s, int depth)                                    \
  {                                                                           \
    int sum = n;                                                              \
    if (!s)                                                                   \
      return depth;                                                           \
    for (int i = 0; i < 24 && s->text[i]; i++)                                \
      switch ((s->text[i] + n) % 7)                                           \
        {                                                                     \
        case 0: sum += s->key * i; break;                                     \
        case 1: sum ^= s->count << (i & 7); break;                            \
        case 2: sum -= use (s, i); break;                                     \
        case 3: s->count++; break;                                            \
        default: sum = sum * 31 + s->text[i];                                 \
        }                                                                     \
    if (s->left && s->left->key > n)                                          \
      sum += walk_##n (s->left, depth + 1);                                   \
    return s->right ? sum + walk_##n (s->right, depth + 1) : sum;             \
  }

#define TEN(n)                                                                \
  ONE (n##0) ONE (n##1) ONE (n##2) ONE (n##3) ONE (n##4)                      \
  ONE (n##5) ONE (n##6) ONE (n##7) ONE (n##8) ONE (n##9)

TEN (1) TEN (2) TEN (3) TEN (4) TEN (5) TEN (6) TEN (7) TEN (8) TEN (9)
TEN (10) TEN (11) TEN (12) TEN (13) TEN (14) TEN (15)
