"""srscope: which image degradations do a super-resolution network's features tell apart?"""
