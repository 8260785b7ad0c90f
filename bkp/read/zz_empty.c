typedef int bkp_read_empty;
