typedef int bkp_write_empty;
